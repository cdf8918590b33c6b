"""What makes the packages of Commonplace; called by packaging/make.py."""
