using System.Text;

namespace LoadBalancer.Core.Transport.Epoll;

/// <summary>Sends and receives messages with descriptors on a Unix socket that keeps messages apart (unix(7), SOCK_SEQPACKET with SCM_RIGHTS). Blocks.</summary>
internal static unsafe class DescriptorPassing
{
    /// <summary>Most descriptors of a message: SCM_MAX_FD of Linux.</summary>
    internal const int DescriptorsMax = 253;

    private const int TextBytesMax = 64 * 1024;
    private static readonly int HeaderSize = sizeof(nuint) + 2 * sizeof(int); // of struct cmsghdr, which is aligned already

    /// <summary>Sends a message; false where the other side is gone.</summary>
    internal static bool TrySend(int socket, string text, ReadOnlySpan<int> descriptors)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(descriptors.Length, DescriptorsMax);
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        int controlLength = HeaderSize + descriptors.Length * sizeof(int);
        byte* control = stackalloc byte[HeaderSize + (DescriptorsMax + 1) * sizeof(int)];
        fixed (byte* start = bytes)
        {
            var vector = new Libc.IoVector { Base = start, Length = (nuint)bytes.Length };
            var message = new Libc.MessageHeader { Vectors = &vector, VectorCount = 1 };
            if (descriptors.Length > 0)
            {
                *(nuint*)control = (nuint)controlLength;
                *(int*)(control + sizeof(nuint)) = Libc.SOL_SOCKET;
                *(int*)(control + sizeof(nuint) + sizeof(int)) = Libc.SCM_RIGHTS;
                descriptors.CopyTo(new Span<int>(control + HeaderSize, descriptors.Length));
                message.Control = control;
                message.ControlLength = (nuint)(controlLength + sizeof(nuint) - 1) & ~(nuint)(sizeof(nuint) - 1);
            }
            return Libc.SendMessageBlocking(socket, &message, Libc.MSG_NOSIGNAL) == bytes.Length;
        }
    }

    /// <summary>Receives a message; null where the other side is gone. The descriptors are the caller's.</summary>
    internal static string? Receive(int socket, out int[] descriptors)
    {
        byte[] bytes = new byte[TextBytesMax];
        int controlMax = HeaderSize + (DescriptorsMax + 1) * sizeof(int);
        byte* control = stackalloc byte[controlMax];
        descriptors = [];
        fixed (byte* start = bytes)
        {
            var vector = new Libc.IoVector { Base = start, Length = (nuint)bytes.Length };
            var message = new Libc.MessageHeader { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = (nuint)controlMax };
            nint received = Libc.ReceiveMessage(socket, &message, Libc.MSG_CMSG_CLOEXEC);
            if (received <= 0) return null;
            if (message.ControlLength >= (nuint)HeaderSize && *(int*)(control + sizeof(nuint)) == Libc.SOL_SOCKET && *(int*)(control + sizeof(nuint) + sizeof(int)) == Libc.SCM_RIGHTS)
                descriptors = new ReadOnlySpan<int>(control + HeaderSize, (int)(*(nuint*)control - (nuint)HeaderSize) / sizeof(int)).ToArray();
            return Encoding.UTF8.GetString(bytes, 0, (int)received);
        }
    }
}
