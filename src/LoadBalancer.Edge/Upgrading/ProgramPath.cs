using System.Runtime.InteropServices;

namespace LoadBalancer.Edge.Upgrading;

/// <summary>Where the program lies, as it was asked for: an upgrade often turns a link to another file, and the kernel tells of the file that it led to at the start.</summary>
internal static class ProgramPath
{
    /// <summary>The path to start it by; null where it is not known.</summary>
    internal static string? Find()
    {
        string? file = Environment.ProcessPath;
        if (file is null || !OperatingSystem.IsLinux()) return file;
        string commandLine;
        try
        {
            commandLine = File.ReadAllText("/proc/self/cmdline");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return file;
        }
        return Find(commandLine.Split('\0')[0], Environment.GetEnvironmentVariable("PATH"), file);
    }

    /// <summary>The path by which a program was started: <paramref name="name"/> as it is, or in the folders of PATH, where that leads to its file; else its file, as the name says what its starter likes.</summary>
    internal static string Find(string name, string? path, string file)
    {
        if (name.Length == 0) return file;
        IEnumerable<string> candidates = name.Contains('/') ? [Path.GetFullPath(name)] : (path ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries).Where(Path.IsPathRooted).Select(folder => Path.Combine(folder, name));
        string? found = candidates.FirstOrDefault(File.Exists);
        return found is not null && Resolve(found) == Resolve(file) ? found : file;
    }

    private static string? Resolve(string path)
    {
        nint resolved = RealPath(path, 0);
        string? text = Marshal.PtrToStringUTF8(resolved);
        Free(resolved);
        return text;
    }

    [DllImport("libc", EntryPoint = "realpath")]
    private static extern nint RealPath([MarshalAs(UnmanagedType.LPUTF8Str)] string path, nint resolved);

    [DllImport("libc", EntryPoint = "free")]
    private static extern void Free(nint memory);
}
