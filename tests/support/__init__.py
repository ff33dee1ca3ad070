"""What tests share: studies, models, tables of rows, and the scripts that write pages of them."""
