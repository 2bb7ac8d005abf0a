from pickclutter_lang.commands.verify_scenes import main

if __name__ == "__main__":
    main()
