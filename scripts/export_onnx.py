from pickclutter_lang.commands.export_onnx import main

if __name__ == "__main__":
    main()
