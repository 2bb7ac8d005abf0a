from pickclutter_lang.commands.reproduce_tables import main

if __name__ == "__main__":
    main()
