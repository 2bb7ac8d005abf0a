from pickclutter_lang.commands.describe_labels import main

if __name__ == "__main__":
    main()
