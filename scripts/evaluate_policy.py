from pickclutter_lang.commands.evaluate_policy import main

if __name__ == "__main__":
    main()
