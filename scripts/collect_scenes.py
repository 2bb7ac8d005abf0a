from pickclutter_lang.commands.collect_scenes import main

if __name__ == "__main__":
    main()
