from pickclutter_lang.commands.train_affordance import main

if __name__ == "__main__":
    main()
