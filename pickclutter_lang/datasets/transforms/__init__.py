"""Cropping, augmentation and preprocessing of images, the same in training and in use.

- `preprocess`, `augmentation`: full camera images for the student, shifted by whole pixels and flipped, in NumPy
- `affine_crops`, `squares`: crops of any place, size and rotation, resampled in one batch, in torch

The two stay apart: a crop by whole pixels keeps the bits of the image, which resampling does not. Both change colors by
`augmentation.color_jitter`.
"""
