namespace LoadBalancer.Http;

/// <summary>Why bytes are no acceptable HTTP message. Each has one status: see Rejections.</summary>
public enum RejectionReason : byte
{
    /// <summary>Not rejected.</summary>
    None,
    /// <summary>The request or status line has not the form of RFC 9112 §3 or §4.</summary>
    BadStartLine,
    /// <summary>The method is no token (RFC 9110 §9.1).</summary>
    BadMethod,
    /// <summary>The method is longer than any we know of: 501 (RFC 9112 §3).</summary>
    MethodTooLong,
    /// <summary>The request target has a form or character that RFC 9112 §3.2 does not allow, or a percent-encoding that is none.</summary>
    BadTarget,
    /// <summary>The HTTP version is malformed: 400.</summary>
    BadVersion,
    /// <summary>A well-formed version with another major number: 505.</summary>
    UnsupportedVersion,
    /// <summary>The status code is not three digits from 100 to 599.</summary>
    BadStatus,
    /// <summary>CR without LF, LF without CR, NUL or another control character (RFC 9112 §2.2, RFC 9110 §5.5).</summary>
    ControlCharacter,
    /// <summary>The field name is empty or no token, or white space stands before the colon (RFC 9112 §5.1).</summary>
    BadFieldName,
    /// <summary>A line without a colon.</summary>
    MissingColon,
    /// <summary>A folded line (RFC 9112 §5.2).</summary>
    LineFolding,
    /// <summary>The request line is too long: 414.</summary>
    StartLineTooLong,
    /// <summary>The head is too large: 431.</summary>
    HeadTooLarge,
    /// <summary>Too many fields: 431.</summary>
    TooManyFields,
    /// <summary>No Host in an HTTP/1.1 request (RFC 9112 §3.2).</summary>
    MissingHost,
    /// <summary>More than one Host.</summary>
    RepeatedHost,
    /// <summary>Host, or the authority of the target, is not uri-host [":" port].</summary>
    BadHost,
    /// <summary>Both Transfer-Encoding and Content-Length (RFC 9112 §6.1, §6.3).</summary>
    LengthAndTransferEncoding,
    /// <summary>Content-Length is malformed, overflows, is a list or repeated (also with equal values).</summary>
    BadContentLength,
    /// <summary>Transfer-Encoding is malformed or chunked is not its one, final coding: 400 in a request, 502 in a response.</summary>
    BadTransferEncoding,
    /// <summary>A transfer coding other than chunked that is well-formed: 501 in a request.</summary>
    UnsupportedTransferEncoding,
    /// <summary>Transfer-Encoding in an HTTP/1.0 message.</summary>
    TransferEncodingInHttp10,
    /// <summary>A chunk size that is empty, no hexadecimal number, or too large.</summary>
    BadChunkSize,
    /// <summary>A chunk extension that is malformed or too long.</summary>
    BadChunkExtension,
    /// <summary>Chunk data not followed by CRLF.</summary>
    BadChunkEnd,
    /// <summary>A malformed or too large trailer section.</summary>
    BadTrailer,
    /// <summary>An Expect other than 100-continue: 417.</summary>
    UnsupportedExpectation,
    /// <summary>An https target on a connection that is not secured: 421 (RFC 9110 §7.4).</summary>
    UnsecuredHttps,
    /// <summary>Content in a TRACE request (RFC 9110 §9.3.8), or a length in a response that cannot have one (1xx, 204).</summary>
    UnexpectedContent,
}
