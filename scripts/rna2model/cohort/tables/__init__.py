"""Tables of counts as programs, archives and spreadsheets write them. count_matrix_file.read is the way in; here is a module for each
family of files, and formats.FORMATS lists the text formats that are recognised by their content."""
