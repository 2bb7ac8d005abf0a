"""Cropping, augmentation and preprocessing of images, the same in training and in use."""
