from pickclutter_lang.commands.export_policy import main

if __name__ == "__main__":
    main()
