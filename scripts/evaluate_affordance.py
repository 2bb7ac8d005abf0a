from pickclutter_lang.commands.evaluate_affordance import main

if __name__ == "__main__":
    main()
