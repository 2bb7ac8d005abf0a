"""Policies, teachers, scene stores and demonstrations on the Hugging Face Hub."""
