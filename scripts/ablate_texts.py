from pickclutter_lang.commands.ablate_texts import main

if __name__ == "__main__":
    main()
