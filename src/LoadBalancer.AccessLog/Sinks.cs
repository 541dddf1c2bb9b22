using System.Net;
using System.Net.Sockets;
using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Transport.Epoll;
using Microsoft.Win32.SafeHandles;

namespace LoadBalancer.AccessLog;

/// <summary>Where lines go. Called by one thread at a time; may block; throws what the system says.</summary>
internal abstract class LineSink : IDisposable
{
    /// <summary>Writes whole lines, each with its line feed.</summary>
    internal abstract void Write(ReadOnlySpan<byte> lines);

    /// <summary>Opens the target anew with the next write.</summary>
    internal virtual void Reopen()
    {
    }

    public abstract void Dispose();

    internal static LineSink Create(AccessLogConfig config, TimeProvider time)
    {
        if (config.Path == "stdout") return new StreamSink(Console.OpenStandardOutput());
        return config.Path.StartsWith("syslog:", StringComparison.Ordinal) ? new SyslogSink(config.Path["syslog:".Length..], time) : new FileSink(config, time);
    }
}

/// <summary>Standard output.</summary>
internal sealed class StreamSink(Stream stream) : LineSink
{
    internal override void Write(ReadOnlySpan<byte> lines)
    {
        stream.Write(lines);
        stream.Flush();
    }

    public override void Dispose() => stream.Dispose();
}

/// <summary>
/// A file that is rotated by size and by day, and opened anew on demand. Rotated files are "path.1" (the newest) and so on. On Linux others may write to the same file, as the next process does while this
/// one drains: each write goes to the end, and whoever finds the file rotated by another opens the new one. Two who rotate within the same few system calls shift it twice.
/// </summary>
internal sealed class FileSink(AccessLogConfig config, TimeProvider time) : LineSink
{
    private FileStream? _stream;
    private string? _openedAs;
    private DateOnly _day;

    internal override void Write(ReadOnlySpan<byte> lines)
    {
        DateOnly today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        if (_stream is null) Open();
        else if (IsDue(lines.Length, today) && NameOf(_stream.SafeFileHandle) != _openedAs)
        {
            Reopen();
            Open();
        }
        if (IsDue(lines.Length, today))
        {
            Reopen();
            Shift();
            Open();
        }
        _day = today;
        try
        {
            _stream!.Write(lines);
        }
        catch
        {
            Reopen();
            throw;
        }
    }

    internal override void Reopen()
    {
        _stream?.Dispose();
        _stream = null;
    }

    public override void Dispose() => Reopen();

    private bool IsDue(int length, DateOnly today)
    {
        if ((config.RotateSize == 0 && !config.RotateDaily) || !_stream!.CanSeek) return false;
        long size = _stream.Length; // asked each time: others write too
        return size > 0 && ((config.RotateSize > 0 && size + length > config.RotateSize) || (config.RotateDaily && today != _day));
    }

    private void Open()
    {
        SafeFileHandle handle = File.OpenHandle(config.Path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            // With this a write goes to the end, wherever the stream believes to be (pwrite(2), BUGS). .NET has no way to ask for it.
            if (OperatingSystem.IsLinux()) _ = Libc.FileControl((int)handle.DangerousGetHandle(), Libc.F_SETFL, Libc.O_APPEND);
            _openedAs = NameOf(handle);
            // No buffer of its own: what was written is in the file. Others may rename it and read it meanwhile.
            _stream = new FileStream(handle, FileAccess.Write, bufferSize: 0);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
        if (!_stream.CanSeek) return;
        _day = DateOnly.FromDateTime(_stream.Seek(0, SeekOrigin.End) > 0 ? File.GetLastWriteTimeUtc(config.Path) : time.GetUtcNow().UtcDateTime);
    }

    // What the kernel calls the open file now: another name than at first, or " (deleted)" behind it, once somebody has rotated it. Null where the kernel does not say.
    private static string? NameOf(SafeFileHandle handle) => OperatingSystem.IsLinux() ? new FileInfo($"/proc/self/fd/{handle.DangerousGetHandle()}").LinkTarget : null;

    private void Shift()
    {
        if (config.Keep == 0)
        {
            File.Delete(config.Path);
            return;
        }
        for (int i = config.Keep - 1; i >= 0; i--)
        {
            string from = i == 0 ? config.Path : $"{config.Path}.{i}";
            if (File.Exists(from)) File.Move(from, $"{config.Path}.{i + 1}", overwrite: true);
        }
    }
}

/// <summary>A datagram for each line, by RFC 5424, to a Unix socket or by UDP. Facility local0, severity informational.</summary>
internal sealed class SyslogSink : LineSink
{
    private const int HeaderMax = 512, MessageMax = 60_000;
    private readonly EndPoint _target;
    private readonly TimeProvider _time;
    private readonly string _origin = $" {(Dns.GetHostName() is { Length: > 0 } host ? host : "-")} lb {Environment.ProcessId} access - ";
    private readonly byte[] _message = new byte[HeaderMax + MessageMax];
    private Socket? _socket;

    internal SyslogSink(string target, TimeProvider time)
    {
        _target = target.StartsWith('/') ? new UnixDomainSocketEndPoint(target) : IPEndPoint.Parse(target);
        _time = time;
    }

    internal override void Write(ReadOnlySpan<byte> lines)
    {
        if (_socket is null)
        {
            var socket = new Socket(_target.AddressFamily, SocketType.Dgram, _target is IPEndPoint ? ProtocolType.Udp : ProtocolType.Unspecified);
            try
            {
                socket.Connect(_target);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
            _socket = socket;
        }
        // <134>: 16 (local0) * 8 + 6 (informational).
        int header = Encoding.ASCII.GetBytes($"<134>1 {_time.GetUtcNow().UtcDateTime:yyyy-MM-ddTHH:mm:ss.ffffffZ}{_origin}", _message);
        try
        {
            foreach (Range range in lines.Split((byte)'\n'))
            {
                ReadOnlySpan<byte> line = lines[range];
                if (line.IsEmpty) continue;
                if (line.Length > MessageMax) line = line[..MessageMax];
                line.CopyTo(_message.AsSpan(header));
                _socket.Send(_message.AsSpan(0, header + line.Length));
            }
        }
        catch (SocketException)
        {
            Reopen();
            throw;
        }
    }

    internal override void Reopen()
    {
        _socket?.Dispose();
        _socket = null;
    }

    public override void Dispose() => Reopen();
}
