{# MD5 (RFC 1321) of the low bytes of a text, in hex: the answer to the router's challenge (facts on RouterOS 9.3).
File and function are called as the routers' own are. #}
function hexMD5(t){
var s=[7,12,17,22,5,9,14,20,4,11,16,23,6,10,15,21],h=[1732584193,-271733879,-1732584194,271733878],w=[],n=t.length,o='',e,i,j;
for(i=0;i<n;i++)w[i>>2]|=(t.charCodeAt(i)&255)<<i%4*8;
w[n>>2]|=128<<n%4*8;
e=((n+8>>6)+1)*16;
w[e-2]=n*8;
for(j=0;j<e;j+=16){
var a=h[0],b=h[1],c=h[2],d=h[3];
for(i=0;i<64;i++){
var r=i>>4,f=[b&c|~b&d,d&b|~d&c,b^c^d,c^(b|~d)][r],g=[i,5*i+1,3*i+5,7*i][r]&15,
x=a+f+(Math.floor(Math.abs(Math.sin(i+1))*4294967296)|0)+(w[j+g]|0)|0,k=s[r*4+i%4];
a=d;d=c;c=b;b=b+(x<<k|x>>>32-k)|0}
h=[h[0]+a|0,h[1]+b|0,h[2]+c|0,h[3]+d|0]}
for(i=0;i<16;i++){e=h[i>>2]>>>i%4*8&255;o+=(e<16?'0':'')+e.toString(16)}
return o}
