from pickclutter_lang.commands.reproduce_table12 import main

if __name__ == "__main__":
    main()
