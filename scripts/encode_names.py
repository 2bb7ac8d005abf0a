from pickclutter_lang.commands.encode_names import main

if __name__ == "__main__":
    main()
