from pickclutter_lang.commands.render_object_views import main

if __name__ == "__main__":
    main()
