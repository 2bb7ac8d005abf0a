from pickclutter_lang.commands.compare_runs import main

if __name__ == "__main__":
    main()
