"""The ASGI side of the program: routes and middleware beside Streamlit."""
