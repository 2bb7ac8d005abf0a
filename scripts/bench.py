from pickclutter_lang.commands.bench import main

if __name__ == "__main__":
    main()
