from pickclutter_lang.commands.import_scenes import main

if __name__ == "__main__":
    main()
