"""The HTML report, the model card and the TRIPOD+AI checklist."""
