"""What people see of messages: the log of an application, what did not arrive, sending again."""
