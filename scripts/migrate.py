from pickclutter_lang.commands.migrate import main

if __name__ == "__main__":
    main()
