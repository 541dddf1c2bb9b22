using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LoadBalancer.Core.Tls.OpenSsl;

/// <summary>
/// OpenSSL's way to a connection's bytes: reads take what the connection below has received, writes only collect. Nothing waits in here, and no
/// exception leaves it: native frames are below.
/// </summary>
internal static unsafe class ConnectionBio
{
    private static readonly nint Method = CreateMethod();

    /// <summary>Makes one. Its data is a handle of the <see cref="OpenSslConnection"/>; who gives it to an SSL object need not free it.</summary>
    internal static nint Create(GCHandle connection)
    {
        nint bio = LibSsl.BioNew(Method);
        if (bio == 0) throw new InsufficientMemoryException();
        LibSsl.BioSetData(bio, GCHandle.ToIntPtr(connection));
        LibSsl.BioSetInitialized(bio, 1);
        return bio;
    }

    /// <summary>Whose bytes they are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static OpenSslConnection Connection(nint bio) => Unsafe.As<OpenSslConnection>(GCHandle.FromIntPtr(LibSsl.BioGetData(bio)).Target!);

    // Once for the process.
    private static nint CreateMethod()
    {
        fixed (byte* name = "connection\0"u8)
        {
            const int SourceSink = 0x400; // BIO_TYPE_SOURCE_SINK
            nint method = LibSsl.BioMethodNew(LibSsl.BioNewIndex() | SourceSink, name);
            if (method == 0) throw new InsufficientMemoryException();
            _ = LibSsl.BioMethodSetRead(method, &Read);
            _ = LibSsl.BioMethodSetWrite(method, &Write);
            _ = LibSsl.BioMethodSetControl(method, &Control);
            return method;
        }
    }

    // Hot path: twice per record. 0 allocations.
    [UnmanagedCallersOnly]
    private static int Read(nint bio, byte* buffer, int length)
    {
        LibSsl.BioClearFlags(bio, LibSsl.BioFlagRead | LibSsl.BioFlagWrite | LibSsl.BioFlagSpecial | LibSsl.BioFlagRetry);
        try
        {
            int count = Connection(bio).TakeEncrypted(new Span<byte>(buffer, length));
            if (count > 0) return count;
            if (count == 0) return 0; // the end
        }
        catch (Exception e)
        {
            Connection(bio).NoteException(e);
            return 0;
        }
        LibSsl.BioSetFlags(bio, LibSsl.BioFlagRead | LibSsl.BioFlagRetry);
        return -1;
    }

    [UnmanagedCallersOnly]
    private static int Write(nint bio, byte* buffer, int length)
    {
        try
        {
            return Connection(bio).PutEncrypted(new ReadOnlySpan<byte>(buffer, length)) ? length : -1;
        }
        catch (Exception e)
        {
            Connection(bio).NoteException(e);
            return -1;
        }
    }

    // A flush has nothing to do, and is asked for; the rest are questions, whose default answer is no.
    [UnmanagedCallersOnly]
    private static CLong Control(nint bio, int command, CLong number, void* pointer) => new(command == LibSsl.BioControlFlush ? 1 : 0);
}
