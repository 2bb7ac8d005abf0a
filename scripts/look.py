from pickclutter_lang.commands.look import main

if __name__ == "__main__":
    main()
