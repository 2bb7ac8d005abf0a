from pickclutter_lang.commands.check_install import main

if __name__ == "__main__":
    main()
