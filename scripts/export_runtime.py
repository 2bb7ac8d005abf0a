from pickclutter_lang.commands.export_runtime import main

if __name__ == "__main__":
    main()
