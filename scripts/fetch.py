from pickclutter_lang.commands.fetch import main

if __name__ == "__main__":
    main()
