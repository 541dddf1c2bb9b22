namespace LoadBalancer.Admin;

/// <summary>Where the admin socket is when nobody said so: the listener makes it there, and the client looks there.</summary>
public static class DefaultAddress
{
    private const string System = "/run/lb/admin.sock";

    // As systemd's RuntimeDirectory= makes it: nobody else can reach into it.
    private const UnixFileMode FolderMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private static string? User => Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } folder && Path.IsPathRooted(folder)
        ? Path.Combine(folder, "lb", "admin.sock") : null;

    /// <summary>The address to listen on, its folder made; null, with the reason, where there can be none.</summary>
    internal static string? Make(out string? problem)
    {
        problem = null;
        if (OperatingSystem.IsWindows())
        {
            problem = "this platform has no well-known folder for Unix sockets; set \"admin\"";
            return null;
        }
        string path = Environment.IsPrivilegedProcess ? System : User ?? System;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!, FolderMode);
            return $"unix:{path}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = $"{e.Message.ReplaceLineEndings(" ")} Set \"admin\" to an address, or to \"off\".";
            return null;
        }
    }

    /// <summary>The address at which a running balancer of this user, or else the system's, is to be found.</summary>
    public static string Find()
    {
        string[] paths = User is not { } user ? [System] : Environment.IsPrivilegedProcess ? [System, user] : [user, System];
        return $"unix:{Array.Find(paths, File.Exists) ?? paths[0]}";
    }
}
