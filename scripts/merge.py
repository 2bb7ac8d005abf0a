from pickclutter_lang.commands.merge import main

if __name__ == "__main__":
    main()
