from pickclutter_lang.commands.caption_images import main

if __name__ == "__main__":
    main()
