using System.Globalization;
using System.Runtime.InteropServices;

namespace LoadBalancer.Transport.Tests;

/// <summary>Takes away the descriptors of this process. By plain system calls: an exception here could need a descriptor itself.</summary>
internal static partial class Descriptors
{
    private const int RLimitNoFile = 7; // Linux
    private const int SpareCount = 16;
    private static readonly Stack<int> Taken = new(1024);

    /// <summary>Lowers the limit to what is in use, and takes what lies free below it.</summary>
    internal static void Fill()
    {
        // What tests give back: whether any number below the highest lies free depends on what this process was started with.
        for (int i = 0; i < SpareCount; i++) Taken.Push(Duplicate(0));
        int highest = Directory.GetFiles("/proc/self/fd").Max(path => int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture));
        _ = GetResourceLimit(RLimitNoFile, out ResourceLimit limit);
        limit.Soft = (ulong)highest + 1;
        if (SetResourceLimit(RLimitNoFile, limit) != 0) throw new InvalidOperationException("setrlimit failed");
        while (Duplicate(0) is >= 0 and var descriptor) Taken.Push(descriptor);
    }

    /// <summary>Gives so many back.</summary>
    internal static void Free(int count)
    {
        for (int i = 0; i < count; i++) _ = Close(Taken.Pop());
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetResourceLimit(int resource, out ResourceLimit limit);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int SetResourceLimit(int resource, in ResourceLimit limit);

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Duplicate(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    private struct ResourceLimit
    {
        internal ulong Soft, Hard;
    }
}
