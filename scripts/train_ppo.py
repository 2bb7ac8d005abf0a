from pickclutter_lang.commands.train_ppo import main

if __name__ == "__main__":
    main()
