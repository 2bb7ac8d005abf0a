from pickclutter_lang.commands.train_image_student import main

if __name__ == "__main__":
    main()
