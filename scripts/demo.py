from pickclutter_lang.commands.demo import main

if __name__ == "__main__":
    main()
