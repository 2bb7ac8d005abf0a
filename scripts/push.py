from pickclutter_lang.commands.push import main

if __name__ == "__main__":
    main()
