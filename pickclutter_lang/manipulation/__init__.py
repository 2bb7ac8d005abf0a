"""Scripted manipulation without learning: from a depth image and a target mask to actions of the arm.

It knows no mesh and no simulator, as on a real arm; the labels that it is measured by do (`envs.grasp_labels`).
"""
