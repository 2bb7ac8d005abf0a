from pickclutter_lang.commands.train_teacher import main

if __name__ == "__main__":
    main()
