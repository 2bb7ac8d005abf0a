from pickclutter_lang.commands.render_object_sheet import main

if __name__ == "__main__":
    main()
