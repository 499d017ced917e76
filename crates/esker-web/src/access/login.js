// What stands behind the # of an address is known to the browser alone: it is taken along to where one logs in.
document.getElementById("elsewhere").href += encodeURIComponent(location.hash);
