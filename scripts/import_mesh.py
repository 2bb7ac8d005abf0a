from pickclutter_lang.commands.import_mesh import main

if __name__ == "__main__":
    main()
