from pickclutter_lang.commands.collect_demos import main

if __name__ == "__main__":
    main()
