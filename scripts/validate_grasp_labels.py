from pickclutter_lang.commands.validate_grasp_labels import main

if __name__ == "__main__":
    main()
