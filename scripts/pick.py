from pickclutter_lang.commands.pick import main

if __name__ == "__main__":
    main()
