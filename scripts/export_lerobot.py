from pickclutter_lang.commands.export_lerobot import main

if __name__ == "__main__":
    main()
