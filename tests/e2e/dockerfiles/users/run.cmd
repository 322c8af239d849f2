@type C:\app\config\app.ini
