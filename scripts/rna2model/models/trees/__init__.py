"""Trees, forests and boosting of scikit-learn."""
